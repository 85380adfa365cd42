// What preparing and measuring need: copies of arrays, as fast as the memory allows.
extern "C" __global__ void copy_values(long long n, const double* from, double* to) {
    const long long stride = (long long)gridDim.x * blockDim.x;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) to[i] = from[i];
}

// The values of one cell for `n / room` cells that are alike, from place `start` on.
extern "C" __global__ void repeat_values(long long room, long long n, long long start, const double* from, double* to) {
    const long long stride = (long long)gridDim.x * blockDim.x;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        to[start + i] = from[i % room];
}
