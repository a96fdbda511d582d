// What gradients of this norm are multiplied by to have at most the norm `clip`; 0: any. Not min(), which drops a NaN: that must reach the weights, as in torch.
fn clipping(norm: f32, clip: f32) -> f32 {
	let factor = clip / (norm + 1e-6);
	return select(factor, 1.0, clip == 0.0 || factor > 1.0);
}
