export interface GpuStatistics {
	dispatches: number;
	passes: number;
	submits: number;
	buffersCreated: number;
	bytesAllocated: number;
	/** Of buffers that are in use, not waiting in the pool. */
	bytesLive: number;
	/** The largest value that bytesLive has had. To measure one step, set this to bytesLive before it. */
	bytesPeak: number;
	pipelines: number;
	/** Kept for further dispatches. */
	bindGroups: number;
	/** Floating-point operations of convolutions, matrix products and their gradients, a multiplication and an addition counted as two. */
	flop: number;
}

export const noStatistics = (): GpuStatistics => ({
	dispatches: 0,
	passes: 0,
	submits: 0,
	buffersCreated: 0,
	bytesAllocated: 0,
	bytesLive: 0,
	bytesPeak: 0,
	pipelines: 0,
	bindGroups: 0,
	flop: 0,
});
