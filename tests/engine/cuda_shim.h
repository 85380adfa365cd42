// Runs CUDA text on the CPU for tests of its arithmetic and indexing: g++ -include cuda_shim.h -x c++ kernels.cu
#pragma once
#include <cmath>

#define __global__
#define __device__
#define __forceinline__ inline
#define __restrict__ __restrict

struct Index {
    unsigned x, y, z;
};
static thread_local Index threadIdx, blockIdx, blockDim, gridDim;

using std::acos, std::asin, std::atan, std::atan2, std::ceil, std::cos, std::cosh, std::exp, std::fabs, std::floor,
    std::fmod, std::log, std::log10, std::pow, std::sin, std::sinh, std::sqrt, std::tan, std::tanh;

// One thread after another, blocks in order: right for kernels without barriers.
template <class Kernel, class... Arguments>
static void launch(unsigned blocks, unsigned threads, Kernel kernel, Arguments... arguments) {
    gridDim = {blocks, 1, 1};
    blockDim = {threads, 1, 1};
    for (unsigned block = 0; block < blocks; ++block)
        for (unsigned thread = 0; thread < threads; ++thread) {
            blockIdx = {block, 0, 0};
            threadIdx = {thread, 0, 0};
            kernel(arguments...);
        }
}
