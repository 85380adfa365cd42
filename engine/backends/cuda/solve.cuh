// Tree solves by a team of threads: parents gather from their children, so nothing is added to
// by two threads and a repeated run gives the same bits.
//
// The matrix has `diag` on the diagonal and -axial[p] between place p and its parent; `rhs` is the
// right side. Every product that is added is one fma and divisions are exact, so the compiler has no
// choice, and the results are those of serial Hines elimination by descending child index, bit for bit.
//
// A thread asks for what the next step needs to know of the tree before it waits: these numbers come
// from afar and do not depend on what the others do.
#pragma once
#include "team.cuh"

// A tree whose nodes are stored in the order of elimination, roots last. A link to a child is twice
// its place, and one more where another child follows; -1: no child.
struct StepTree {
    int n_node;             // without twigs
    int n_step;
    const int* step_start;  // (n_step + 1) first place of every step; the roots begin at the last
    const int* child;       // (n_node) link to the child with the highest index
    const int* sibling;     // (n_node) link to the parent's next child downwards
    const int* above;       // (n_node) place of the parent, or -1
    const double* axial;    // (n_node) µS to the parent, 0 at roots
};

// Eliminate the node at place p, with `link` to its first child and `a` to its parent. On return
// `factor` holds axial/diag and `value` rhs/diag of the reduced system; the arrays may be the same
// as `diag` and `rhs`.
__device__ __forceinline__ void eliminate_node(
    const StepTree& t, int p, int link, double a, const double* diag, const double* rhs, double* factor,
    double* value) {
    double d = diag[p], r = rhs[p];
    while (link >= 0) {
        const int c = link >> 1;
        const double g = t.axial[c];
        link = link & 1 ? t.sibling[c] : -1;
        d = fma(-factor[c], g, d);
        r = fma(g, value[c], r);
    }
    const double inverse = 1.0 / d;
    factor[p] = a * inverse;
    value[p] = r * inverse;
}

// Eliminate all nodes; `width` threads, as many as the widest step has nodes or more.
template <class Wait>
__device__ __forceinline__ void eliminate(
    const StepTree& t, const double* diag, const double* rhs, double* factor, double* value,
    int lane, int width, const Wait& wait) {
    int p = lane, end = t.n_step ? t.step_start[1] : 0;
    int link = p < end ? t.child[p] : -1;
    double a = p < end ? t.axial[p] : 0.0;
    for (int s = 0; s < t.n_step; ++s) {
        const int next = end + lane, next_end = s + 1 < t.n_step ? t.step_start[s + 2] : end;
        const int next_link = next < next_end ? t.child[next] : -1;
        const double next_a = next < next_end ? t.axial[next] : 0.0;
        if (p < end) eliminate_node(t, p, link, a, diag, rhs, factor, value);
        p = next, end = next_end, link = next_link, a = next_a;
        wait();
    }
    for (p = t.step_start[t.n_step] + lane; p < t.n_node; p += width)
        eliminate_node(t, p, t.child[p], 0.0, diag, rhs, factor, value);
    wait();
}

// Go back from the roots: `value` becomes the solution.
template <class Wait>
__device__ __forceinline__ void substitute(
    const StepTree& t, const double* factor, double* value, int lane, const Wait& wait) {
    int end = t.step_start[t.n_step], start = t.n_step ? t.step_start[t.n_step - 1] : end;
    int p = start + lane, up = p < end ? t.above[p] : 0;
    for (int s = t.n_step - 1; s >= 0; --s) {
        const int next_start = s > 0 ? t.step_start[s - 1] : start, next = next_start + lane;
        const int next_up = next < start ? t.above[next] : 0;
        if (p < end) value[p] = fma(factor[p], value[up], value[p]);
        p = next, up = next_up, end = start, start = next_start;
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
            const double inverse_p = inverse[p];
            double r = value[p];
            for (int link = t.child[p]; link >= 0;) {
                const int c = link >> 1;
                r = fma(t.axial[c], value[c], r);
                link = link & 1 ? t.sibling[c] : -1;
            }
            value[p] = r * inverse_p;
        }
        wait();
    }
}
