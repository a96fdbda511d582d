// Rotation about the centre of the image: y(r, c) is x at the place R (r, c), bilinear; places outside are moved to the nearest edge.

// import thread

struct Params {
	shape: vec4u, // B H W C
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> turns: array<vec2f>; // cos and sin of each sample's angle
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

// Column and row of the last pixel.
fn last() -> vec2f { return vec2f(params.shape.zy) - 1.0; }

// R about the centre; (x, y) = (column, row).
fn turn(p: vec2f, cs: vec2f) -> vec2f {
	let centre = 0.5 * last();
	let d = p - centre;
	return centre + vec2f(cs.x * d.x - cs.y * d.y, cs.y * d.x + cs.x * d.y);
}

struct Place { sample: u32, row: u32, column: u32, channel: u32 }

fn placeOf(i: u32) -> Place {
	let pixel = i / params.shape.w;
	let line = pixel / params.shape.z;
	return Place(line / params.shape.y, line % params.shape.y, pixel % params.shape.z, i % params.shape.w);
}

fn index(sample: u32, row: u32, column: u32, channel: u32) -> u32 {
	return ((sample * params.shape.y + row) * params.shape.z + column) * params.shape.w + channel;
}

fn outside(i: u32) -> bool {
	return i >= params.shape.x * params.shape.y * params.shape.z * params.shape.w;
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (outside(i)) { return; }
	let at = placeOf(i);
	let origin = clamp(turn(vec2f(f32(at.column), f32(at.row)), turns[at.sample]), vec2f(0.0), last());
	let low = vec2u(origin);
	let high = min(low + 1u, vec2u(last()));
	let w = origin - vec2f(low);
	let a = x[index(at.sample, low.y, low.x, at.channel)];
	let b = x[index(at.sample, low.y, high.x, at.channel)];
	let c = x[index(at.sample, high.y, low.x, at.channel)];
	let d = x[index(at.sample, high.y, high.x, at.channel)];
	y[i] = mix(mix(a, b, w.x), mix(c, d, w.x), w.y);
}

// The columns c of [span.x, span.y] for which a + slope c lies between low and high, a little more where rounding could decide.
fn narrow(span: vec2f, a: f32, slope: f32, low: f32, high: f32) -> vec2f {
	if (abs(slope) < 0.05) {
		let b = a + slope * span.y;
		return select(span, vec2f(1.0, 0.0), max(a, b) < low - 0.05 || min(a, b) > high + 0.05);
	}
	let p = (low - a) / slope;
	let q = (high - a) / slope;
	return vec2f(max(span.x, ceil(min(p, q) - 0.05)), min(span.y, floor(max(p, q) + 0.05)));
}

// The exact transpose, as a gather: a pixel of x went into the outputs whose place lies within one pixel of it; a pixel of an
// edge also into all whose place lies beyond, so there the search runs through all rows.
@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (outside(i)) { return; }
	let at = placeOf(i);
	let p = vec2f(f32(at.column), f32(at.row));
	let end = last();
	let cs = turns[at.sample];
	let far = vec2f(1e9);
	let low = select(p - 1.0, -far, p == vec2f(0.0));
	let high = select(p + 1.0, far, p == end);
	var firstRow = 0.0;
	var lastRow = end.y;
	if (all(p > vec2f(0.0)) && all(p < end)) {
		let back = turn(p, vec2f(cs.x, -cs.y));
		firstRow = max(firstRow, ceil(back.y - 1.5)); // sqrt(2) and a margin
		lastRow = min(lastRow, floor(back.y + 1.5));
	}
	var total = 0.0;
	for (var row = firstRow; row <= lastRow; row += 1.0) {
		let start = turn(vec2f(0.0, row), cs);
		var span = narrow(vec2f(0.0, end.x), start.x, cs.x, low.x, high.x);
		span = narrow(span, start.y, cs.y, low.y, high.y);
		for (var column = span.x; column <= span.y; column += 1.0) {
			let origin = clamp(turn(vec2f(column, row), cs), vec2f(0.0), end);
			let w = max(1.0 - abs(origin - p), vec2f(0.0));
			total += w.x * w.y * dy[index(at.sample, u32(row), u32(column), at.channel)];
		}
	}
	dx[i] = total;
}
