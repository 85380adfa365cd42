// Tree solves by a team of threads: parents gather from their children, so nothing is added to
// by two threads and a repeated run gives the same bits.
//
// The matrix has `diag` on the diagonal and -axial[p] between place p and its parent; `rhs` is the
// right side. Every product that is added is one fma and divisions are exact, so the compiler has no
// choice, and the results are those of serial Hines elimination by descending child index, bit for bit.
#pragma once

// What a team of threads waits with: nothing (one thread), its part of a warp, or its block.
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

// Lanes of the team of `width` threads (a power of two) that thread `thread` of a block is in.
__device__ __forceinline__ WarpTeam warp_team(unsigned thread, unsigned width) {
    const unsigned first = (thread % 32u) / width * width;
    return {width >= 32u ? 0xffffffffu : ((1u << width) - 1u) << first};
}

// A tree whose nodes are stored in the order of elimination, roots last.
struct StepTree {
    int n_node;             // without twigs
    int n_step;
    const int* step_start;  // (n_step + 1) first place of every step; the roots begin at the last
    const int* child;       // (n_node) place of the child with the highest index, or -1
    const int* sibling;     // (n_node) place of the parent's next child downwards, or -1
    const int* above;       // (n_node) place of the parent, or -1
    const double* axial;    // (n_node) µS to the parent, 0 at roots
};

// Eliminate the node at place p, with `first` its first child. On return `factor` holds axial/diag
// and `value` rhs/diag of the reduced system. The arrays may be the same as `diag` and `rhs`.
__device__ __forceinline__ void eliminate_node(
    const StepTree& t, int p, int first, const double* diag, const double* rhs, double* factor, double* value) {
    double d = diag[p], r = rhs[p];
    for (int c = first; c >= 0; c = t.sibling[c]) {
        const double a = t.axial[c];
        d = fma(-factor[c], a, d);
        r = fma(a, value[c], r);
    }
    const double inverse = 1.0 / d;
    factor[p] = t.axial[p] * inverse;
    value[p] = r * inverse;
}

// Eliminate all nodes; `width` threads, as many as the widest step has nodes or more.
template <class Wait>
__device__ __forceinline__ void eliminate(
    const StepTree& t, const double* diag, const double* rhs, double* factor, double* value,
    int lane, int width, const Wait& wait) {
    int p = lane, end = t.n_step ? t.step_start[1] : 0;
    int first = p < end ? t.child[p] : -1;
    for (int s = 0; s < t.n_step; ++s) {
        if (p < end) eliminate_node(t, p, first, diag, rhs, factor, value);
        p = end + lane;  // what the next step needs to know of the tree comes while it waits
        end = s + 1 < t.n_step ? t.step_start[s + 2] : end;
        first = p < end ? t.child[p] : -1;
        wait();
    }
    for (p = t.step_start[t.n_step] + lane; p < t.n_node; p += width)
        eliminate_node(t, p, t.child[p], diag, rhs, factor, value);
    wait();
}

// Go back from the roots: `value` becomes the solution.
template <class Wait>
__device__ __forceinline__ void substitute(
    const StepTree& t, const double* factor, double* value, int lane, const Wait& wait) {
    for (int s = t.n_step - 1; s >= 0; --s) {
        const int p = t.step_start[s] + lane;
        if (p < t.step_start[s + 1]) value[p] = fma(factor[p], value[t.above[p]], value[p]);
        wait();
    }
}

// The same where the matrix is constant: its inverse diagonal and factors were made before.
template <class Wait>
__device__ __forceinline__ void eliminate_constant(
    const StepTree& t, const double* inverse, double* value, int lane, int width, const Wait& wait) {
    for (int s = 0; s <= t.n_step; ++s) {
        const int end = s < t.n_step ? t.step_start[s + 1] : t.n_node;
        for (int p = t.step_start[s] + lane; p < end; p += width) {
            double r = value[p];
            for (int c = t.child[p]; c >= 0; c = t.sibling[c]) r = fma(t.axial[c], value[c], r);
            value[p] = r * inverse[p];
        }
        wait();
    }
}
