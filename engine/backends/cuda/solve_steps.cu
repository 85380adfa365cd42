// Dendritic hierarchical scheduling, and any other schedule of steps, by gathering: a team a cell.
#include "solve.cuh"
#include "shapes.cuh"
#include "fetch.cuh"
#include "twigs.cuh"

extern "C" __global__ void __launch_bounds__(1024) solve_steps(
    int threads, int n_cell, int room, const int* shape_of, const long long* cell_start, const Shape* shapes,
    const int* step_start, const int* child, const int* sibling, const int* above, const double* axial,
    const double* kept_factor, const double* kept_inverse, const int* host, const int* twig_count,
    const int* rank_start, const int* rank_width, const double* diag, const double* rhs, double* factor, double* x) {
    const int team = threadIdx.x / threads, lane = threadIdx.x % threads;
    const int cell = blockIdx.x * (blockDim.x / threads) + team;
    if (cell >= n_cell) return;
    TEAM_WAIT;
    const Shape shape = shapes[shape_of[cell]];
    const StepTree tree = {
        shape.n_node, shape.n_step, step_start + shape.step, child + shape.node, sibling + shape.node,
        above + shape.node, axial + shape.node};
    const Twigs twigs = {
        shape.n_host, shape.alike, host + shape.host, twig_count + shape.host, rank_start + shape.rank,
        rank_width + shape.rank, axial + shape.node, kept_inverse + shape.node};
    const long long start = cell_start[cell];
    diag += FACTORED ? 0 : start, rhs += start, x += start;

#if SHARED
    extern __shared__ double store[];
    double *r = store + (size_t)team * room * (FACTORED ? 1 : 2), *d = r + room;
    if (!FACTORED) fetch(d, diag, tree.n_node, lane, threads);
    fetch(r, rhs, tree.n_node, lane, threads);
    fetched();
    wait();
#else
    double *r = x, *d = factor + (FACTORED ? 0 : start);
    for (int p = lane; (FACTORED || TWIG) && p < tree.n_node; p += threads) {
        if (!FACTORED) d[p] = diag[p];
        r[p] = rhs[p];
    }
    wait();
#endif
#if TWIG
    gather_twigs(twigs, diag, rhs, d, r, lane, threads);
    wait();
#endif
#if FACTORED
    eliminate_constant(tree, kept_inverse + shape.node, r, lane, threads, wait);
    substitute(tree, kept_factor + shape.node, r, lane, wait);
#else
    eliminate(tree, SHARED || TWIG ? d : diag, SHARED || TWIG ? r : rhs, d, r, lane, threads, wait);
    substitute(tree, d, r, lane, wait);
#endif
#if TWIG
    spread_twigs(twigs, diag, rhs, r, x, lane, threads);
#endif
    for (int p = lane; SHARED && p < tree.n_node; p += threads) x[p] = r[p];
}
