// What a team of threads that solves one cell waits with: nothing (one thread), its part of a warp,
// or its block.
#pragma once

struct Alone {
    __device__ __forceinline__ void operator()() const {}
};
struct WarpTeam {
    unsigned mask;
    __device__ __forceinline__ void operator()() const { __syncwarp(mask); }
};
struct BlockTeam {
    __device__ __forceinline__ void operator()() const { __syncthreads(); }
};

// The team of `width` threads (a power of two up to 32) that thread `thread` of a block is in.
__device__ __forceinline__ WarpTeam warp_team(unsigned thread, unsigned width) {
    const unsigned first = (thread % 32u) / width * width;
    return {width >= 32u ? 0xffffffffu : ((1u << width) - 1u) << first};
}
