// Tree contraction: a team a cell.
#include "contract.cuh"
#include "shapes.cuh"
#include "fetch.cuh"
#include "twigs.cuh"

extern "C" __global__ void __launch_bounds__(1024) solve_contract(
    int threads, int n_cell, int room, int inner_room, const int* shape_of, const long long* cell_start,
    const Shape* shapes, const Round* round, const Ends* ends, const Receiver* receiver, const int* sibling,
    const double* axial, const double* kept_inverse, const double* kept_edge, const double* kept_factor,
    const double* kept_down, const double* kept_gain, const int* host, const int* twig_count, const int* rank_start, const int* rank_width,
    const double* diag, const double* rhs, double* work, double* x) {
    const int team = threadIdx.x / threads, lane = threadIdx.x % threads;
    const int cell = blockIdx.x * (blockDim.x / threads) + team;
    if (cell >= n_cell) return;
    TEAM_WAIT;
    const Shape shape = shapes[shape_of[cell]];
    const RoundTree tree = {
        shape.n_node, shape.n_step, round + shape.step, ends + shape.node, receiver + shape.receiver,
        sibling + shape.node};
    const Twigs twigs = {
        shape.n_host, shape.alike, host + shape.host, twig_count + shape.host, rank_start + shape.rank,
        rank_width + shape.rank, axial + shape.node, kept_inverse + shape.node};
    const long long start = cell_start[cell];
    diag += FACTORED ? 0 : start, rhs += start, x += start;
#if SHARED
    extern __shared__ double store[];
    const int need = FACTORED ? room : 3 * room + inner_room;
    double *r = store + (size_t)team * need, *d = r + room, *edge = d + room, *down = edge + room;
    fetch(r, rhs, tree.n_node, lane, threads);
    if (!FACTORED) {
        fetch(d, diag, tree.n_node, lane, threads);
        fetch(edge, axial + shape.node, tree.n_node, lane, threads);
    }
    fetched();
#else
    double *d = work + (FACTORED ? 0 : (long long)cell * (2 * room + inner_room)), *edge = d + room;
    double *down = edge + room, *r = x;
    for (int p = lane; p < tree.n_node; p += threads) {
        r[p] = rhs[p];
        if (!FACTORED) d[p] = diag[p], edge[p] = axial[shape.node + p];
    }
#endif
    wait();
#if TWIG
    gather_twigs(twigs, diag, rhs, d, r, lane, threads);
    wait();
#endif
#if FACTORED
    const KeptRounds kept = {
        kept_inverse + shape.node, kept_edge + shape.node, kept_factor + shape.node, kept_down + shape.node,
        kept_gain + shape.receiver};
    contract_constant(tree, kept, r, lane, threads, wait);
#else
    contract(tree, d, r, edge, down, lane, threads, wait);
#endif
#if TWIG
    spread_twigs(twigs, diag, rhs, r, x, lane, threads);
#endif
    for (int p = lane; SHARED && p < tree.n_node; p += threads) x[p] = r[p];
}
