// Twigs: unbranched runs of TWIG nodes (the necks and heads of spines) that hang on a host node of
// the tree. Each is eliminated by one thread in registers, and a host adds its own up, so there is
// nothing to wait for. Twigs are stored by rank, hosts side by side: neighbors read neighbors.
#pragma once

struct Twigs {
    int n_host;
    int alike;              // 1: all twigs have the conductances of the first one
    const int* host;        // (n_host) place of each host in the tree, those with most twigs first
    const int* count;       // (n_host) twigs of each host
    const int* rank_start;  // (n_rank) place of the first node of the first twig of each rank
    const int* rank_width;  // (n_rank) hosts that have a twig of that rank
    const double* axial;    // by place, to the next node towards the host
    const double* inverse;  // by place, only where the matrix is constant
};

#if TWIG

// Node m of a twig, 0 next to the host.
__device__ __forceinline__ int twig_place(const Twigs& w, int rank, int host, int m) {
    return w.rank_start[rank] + m * w.rank_width[rank] + host;
}

// µS from node m of a twig, at place p, to the next one towards the host.
__device__ __forceinline__ double twig_axial(const Twigs& w, int p, int m) {
    return w.axial[w.alike ? w.rank_start[0] + m * w.rank_width[0] : p];
}

// Eliminate one twig from its tip. `factor` and `value` get its nodes', the host's d and r its share.
__device__ __forceinline__ void eliminate_twig(
    const Twigs& w, int rank, int host, const double* diag, const double* rhs,
    double* factor, double* value, double& host_d, double& host_r) {
    double d = 0.0, r = 0.0, a = 0.0;
#pragma unroll
    for (int m = TWIG - 1; m >= 0; --m) {
        const int p = twig_place(w, rank, host, m);
        double own_r = rhs[p];
#if FACTORED
        if (m < TWIG - 1) own_r = fma(a, value[m + 1], own_r);
        a = twig_axial(w, p, m);
        const double inverse = w.inverse[p];
#else
        double own_d = diag[p];
        if (m < TWIG - 1) {
            own_d = fma(-factor[m + 1], a, own_d);
            own_r = fma(a, value[m + 1], own_r);
        }
        a = twig_axial(w, p, m);
        const double inverse = 1.0 / own_d;
#endif
        factor[m] = a * inverse;
        value[m] = own_r * inverse;
    }
    d = host_d;
    r = host_r;
    host_d = fma(-factor[0], a, d);
    host_r = fma(a, value[0], r);
}

// Add the shares of all twigs to their hosts' `d` and `r`, in descending index.
__device__ __forceinline__ void gather_twigs(
    const Twigs& w, const double* diag, const double* rhs, double* d, double* r, int lane, int width) {
    for (int h = lane; h < w.n_host; h += width) {
        const int host = w.host[h];
        double factor[TWIG], value[TWIG];
        double host_d = FACTORED ? 0.0 : d[host], host_r = r[host];
        for (int rank = 0; rank < w.count[h]; ++rank)
            eliminate_twig(w, rank, h, diag, rhs, factor, value, host_d, host_r);
        if (!FACTORED) d[host] = host_d;
        r[host] = host_r;
    }
}

// The solution in all twigs; `tree` holds it in their hosts. Eliminating again costs less than
// keeping what the first time gave: two numbers are read instead of two written and read.
__device__ __forceinline__ void spread_twigs(
    const Twigs& w, const double* diag, const double* rhs, const double* tree, double* x, int lane, int width) {
    for (int h = lane; h < w.n_host; h += width) {
        const double above = tree[w.host[h]];
        for (int rank = 0; rank < w.count[h]; ++rank) {
            double factor[TWIG], value[TWIG], unused_d = 0.0, unused_r = 0.0;
            eliminate_twig(w, rank, h, diag, rhs, factor, value, unused_d, unused_r);
            double up = above;
#pragma unroll
            for (int m = 0; m < TWIG; ++m) {
                up = fma(factor[m], up, value[m]);
                x[twig_place(w, rank, h, m)] = up;
            }
        }
    }
}
#endif
