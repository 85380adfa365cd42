// Schedules of steps as DeepDendrite and CoreNEURON run them: every node subtracts from its parent
// with atomic additions, numbers stay in global memory, a and b and the parent's place are kept for
// every node of every cell. The order in which siblings are added is the device's, so the last
// digits may differ from run to run. (The warp's lanes are made to wait for each other, which those
// programs leave to luck: independent scheduling of lanes made it undefined.)
//
// A group is a warp that holds several cells of `threads` lanes or less, or one cell's block.
// Compiled with WAIT (1: a group is a warp, 2: a block).
#if WAIT == 1
#define GROUP_WAIT __syncwarp()
#else
#define GROUP_WAIT __syncthreads()
#endif

__device__ __forceinline__ void scatter(
    int i, const int* parent, const double* a, const double* b, double* d, double* rhs) {
    const int up = parent[i];
    const double p = a[i] / d[i];
    atomicAdd(d + up, -p * b[i]);
    atomicAdd(rhs + up, -p * rhs[i]);
}

__device__ __forceinline__ void go_back(
    int i, const int* parent, const double* b, const double* d, double* rhs) {
    rhs[i] = fma(-b[i], rhs[parent[i]], rhs[i]) / d[i];
}

// "Memory boosting": nodes in the order of the steps, so a step's nodes lie side by side.
extern "C" __global__ void __launch_bounds__(1024) scatter_steps(
    int width, int n_group, const int* group_steps, const int* step_of_group, const int* step_start,
    const long long* group_start, const int* n_node, const int* parent, const double* a, const double* b,
    double* d, double* rhs) {
    const int group = blockIdx.x * (blockDim.x / width) + threadIdx.x / width, lane = threadIdx.x % width;
    if (group >= n_group) return;
    const int n_step = group_steps[group];
    const int* start = step_start + step_of_group[group];
    const long long first = group_start[group];
    parent += first, a += first, b += first, d += first, rhs += first;
    for (int s = 0; s < n_step; ++s) {
        const int i = start[s] + lane;
        if (i < start[s + 1]) scatter(i, parent, a, b, d, rhs);
        GROUP_WAIT;
    }
    for (int i = start[n_step] + lane; i < n_node[group]; i += width) rhs[i] /= d[i];
    GROUP_WAIT;
    for (int s = n_step - 1; s >= 0; --s) {
        const int i = start[s] + lane;
        if (i < start[s + 1]) go_back(i, parent, b, d, rhs);
        GROUP_WAIT;
    }
}

// Without it: nodes as the cell numbers them (roots first), each lane follows a list of its nodes; in
// the schedules for which this is right a lane that falls idle stays so.
extern "C" __global__ void __launch_bounds__(1024) scatter_lists(
    int threads, int n_cell, const int* steps_of_cell, const int* roots_of_cell, const long long* cell_start, const int* lane_first,
    const int* lane_count, const int* lane_last, const int* next, const int* previous, const int* parent,
    const double* a, const double* b, double* d, double* rhs) {
    const int cell = (blockIdx.x * blockDim.x + threadIdx.x) / threads, lane = threadIdx.x % threads;
    const bool real = cell < n_cell;
    int n_step = real ? steps_of_cell[cell] : 0, i = -1, count = 0;
#if WAIT == 1
    for (int by = 16; by > 0; by >>= 1) n_step = max(n_step, __shfl_xor_sync(0xffffffffu, n_step, by));
#endif
    if (real) {
        const long long first = cell_start[cell], at = (long long)cell * threads + lane;
        next += first, previous += first, parent += first, a += first, b += first, d += first, rhs += first;
        i = lane_first[at], count = lane_count[at];
    }
    for (int s = 0; s < n_step; ++s) {
        if (s < count) {
            scatter(i, parent, a, b, d, rhs);
            i = next[i];
        }
        GROUP_WAIT;
    }
    for (int root = lane; real && root < roots_of_cell[cell]; root += threads) rhs[root] /= d[root];
    GROUP_WAIT;
    if (real) i = lane_last[(long long)cell * threads + lane];
    for (int s = n_step - 1; s >= 0; --s) {
        if (s < count) {
            go_back(i, parent, b, d, rhs);
            i = previous[i];
        }
        GROUP_WAIT;
    }
}
