// How the kernels of GPUs walk over the rows of packed weights.

// import conv

// Workgroups count pixels by x and y, blocks of channels within phases by z.
fn phaseOf(group: vec3u) -> vec2u {
	let phase = group.z / ((params.outChannels + 63) / 64);
	return vec2u(phase / params.outStride.y, phase % params.outStride.y);
}

// Which tap and channel a row of the weights belongs to.
struct Row {
	j: vec2u,
	c: u32,
}

fn advance(row: Row, channels: u32, columns: u32) -> Row {
	var next = row;
	next.c += channels;
	while (next.c >= params.inChannels) {
		next.c -= params.inChannels;
		next.j.y++;
		if (next.j.y >= columns) {
			next.j = vec2u(next.j.x + 1, 0);
		}
	}
	return next;
}

// Index in x of pixel `corner`, moved by the tap, and whether it is in the image.
fn source(corner: vec3i, row: Row, taps: vec2u) -> vec2u {
	let shift = select(vec2i(row.j), -vec2i(row.j), params.transposed != 0);
	let at = vec2u(corner.yz + shift); // a negative one becomes huge
	let inside = all(at < params.inSize) && row.j.x < taps.x && u32(corner.x) < params.batch;
	let index = ((u32(corner.x) * params.inSize.x + at.x) * params.inSize.y + at.y) * params.inChannels + row.c;
	return vec2u(select(0, index, inside), u32(inside));
}

fn one(corner: vec3i, row: Row, taps: vec2u) -> f32 {
	let s = source(corner, row, taps);
	return select(0, x[s.x], s.y != 0);
}
