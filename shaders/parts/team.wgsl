// Teams of neighbours among a workgroup's 64 threads. `alias Value` is the importing shader's: what a member has and all members get the sum of.

override TEAM = 64u; // a power of two, up to 64

var<workgroup> scratch: array<Value, 64>;

fn total(lane: u32, value: Value) -> Value {
	if (TEAM == 1) { return value; }
	scratch[lane] = value;
	for (var half = TEAM / 2; half > 0; half >>= 1u) {
		workgroupBarrier();
		if (lane % TEAM < half) { scratch[lane] += scratch[lane + half]; }
	}
	workgroupBarrier();
	let sum = scratch[lane - lane % TEAM];
	workgroupBarrier(); // the next sum is written there
	return sum;
}
