// The index of a thread among all of a dispatch of workgroups of 64, in lines (lines() in src/engine/device/dispatch.ts).
fn threadOf(id: vec3u, groups: vec3u) -> u32 {
	return id.x + id.y * groups.x * 64;
}
