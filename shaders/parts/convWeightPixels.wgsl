// How the kernels of GPUs walk over the pixels that a gradient to the weight sums.

// import convWeight

// A pixel of dy: (batch, vertical, horizontal).
fn advance(q: vec3u, pixels: u32) -> vec3u {
	var next = q;
	next.z += pixels;
	while (next.z >= params.outSize.y) {
		next.z -= params.outSize.y;
		next.y++;
		if (next.y == params.outSize.x) {
			next.y = 0;
			next.x++;
		}
	}
	return next;
}

// Index of a place in x, and whether it is in the image.
fn source(q: vec3u, p: Place, alive: bool) -> vec2u {
	let at = vec2u(vec2i(q.yz * params.stride) + p.shift); // a negative one becomes huge
	let inside = alive && all(at < params.size);
	let index = ((q.x * params.size.x + at.x) * params.size.y + at.y) * params.channels + p.c;
	return vec2u(select(0, index, inside), u32(inside));
}

fn one(q: vec3u, p: Place, alive: bool) -> f32 {
	let s = source(q, p, alive);
	return select(0, x[s.x], s.y != 0);
}

// The values at a pixel of four places that follow each other.
fn fetch(q: vec3u, p0: Place, p1: Place, p2: Place, p3: Place, alive: bool) -> vec4f {
	if (VECTOR) {
		let s = source(q, p0, alive);
		return select(vec4f(), x4[s.x / 4], s.y != 0);
	}
	return vec4f(one(q, p0, alive), one(q, p1, alive), one(q, p2, alive), one(q, p3, alive));
}
