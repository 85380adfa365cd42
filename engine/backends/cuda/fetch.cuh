// Copies from global to shared memory that do not pass through registers, so that a few threads keep
// many of them under way.
#pragma once

// n doubles; both places begin at multiples of 16 bytes, and one double more may be read and written.
__device__ __forceinline__ void fetch(double* to, const double* from, int n, int lane, int width) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    const unsigned place = (unsigned)__cvta_generic_to_shared(to);
    for (int i = 2 * lane; i < n; i += 2 * width)
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(place + 8u * i), "l"(from + i));
#else
    for (int i = lane; i < n; i += width) to[i] = from[i];
#endif
}

// Wait for this thread's copies; the other threads' are there after the team's next barrier.
__device__ __forceinline__ void fetched() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}
