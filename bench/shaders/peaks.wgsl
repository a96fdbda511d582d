// What an adapter can do at most: products and sums in registers alone, and a copy.

struct Params {
	n: u32, // multiplyAdd*: iterations; copy*: vec4s
	factor: f32, // not constants, or the compiler would do the sums
	term: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

// Sums that do not wait for each other.
struct Two { a: vec4f, b: vec4f }
struct Four { a: Two, b: Two }
struct Eight { a: Four, b: Four }

fn begin2(v: f32) -> Two { return Two(vec4f(v), vec4f(v + 1.0)); }
fn begin4(v: f32) -> Four { return Four(begin2(v), begin2(v + 2.0)); }
fn begin8(v: f32) -> Eight { return Eight(begin4(v), begin4(v + 4.0)); }

fn next2(s: Two) -> Two {
	return Two(fma(s.a, vec4f(params.factor), vec4f(params.term)), fma(s.b, vec4f(params.factor), vec4f(params.term)));
}
fn next4(s: Four) -> Four { return Four(next2(s.a), next2(s.b)); }
fn next8(s: Eight) -> Eight { return Eight(next4(s.a), next4(s.b)); }

// What is not stored is not computed.
fn total2(s: Two) -> vec4f { return s.a + s.b; }
fn total4(s: Four) -> vec4f { return total2(s.a) + total2(s.b); }
fn total8(s: Eight) -> vec4f { return total4(s.a) + total4(s.b); }

// An iteration is 32 fma of vec4s in each, so that the loop itself costs nothing.
@compute @workgroup_size(64)
fn multiplyAdd2(@builtin(global_invocation_id) id: vec3u) {
	var s = begin2(f32(id.x));
	for (var i = 0u; i < params.n; i++) {
		s = next2(next2(next2(next2(s))));
		s = next2(next2(next2(next2(s))));
		s = next2(next2(next2(next2(s))));
		s = next2(next2(next2(next2(s))));
	}
	y[id.x] = total2(s);
}

@compute @workgroup_size(64)
fn multiplyAdd4(@builtin(global_invocation_id) id: vec3u) {
	var s = begin4(f32(id.x));
	for (var i = 0u; i < params.n; i++) {
		s = next4(next4(next4(next4(s))));
		s = next4(next4(next4(next4(s))));
	}
	y[id.x] = total4(s);
}

@compute @workgroup_size(64)
fn multiplyAdd8(@builtin(global_invocation_id) id: vec3u) {
	var s = begin8(f32(id.x));
	for (var i = 0u; i < params.n; i++) {
		s = next8(next8(next8(next8(s))));
	}
	y[id.x] = total8(s);
}

@compute @workgroup_size(64)
fn multiplyAdd16(@builtin(global_invocation_id) id: vec3u) {
	var s = begin8(f32(id.x));
	var t = begin8(f32(id.x) + 8.0);
	for (var i = 0u; i < params.n; i++) {
		s = next8(s);
		t = next8(t);
		s = next8(s);
		t = next8(t);
	}
	y[id.x] = total8(s) + total8(t);
}

@compute @workgroup_size(64)
fn copy1(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * 64;
	if (i < params.n) { y[i] = x[i]; }
}

@compute @workgroup_size(64)
fn copy4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let quarter = params.n / 4;
	let i = id.x + id.y * groups.x * 64;
	if (i >= quarter) { return; }
	for (var part = 0u; part < 4; part++) { y[part * quarter + i] = x[part * quarter + i]; }
}
