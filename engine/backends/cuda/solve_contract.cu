// Tree contraction: a team a cell.
#include "contract.cuh"
#include "shapes.cuh"
#include "fetch.cuh"
#include "twigs.cuh"

extern "C" __global__ void __launch_bounds__(1024) solve_contract(
    int threads, int n_cell, int room, int inner_room, const int* shape_of, const long long* cell_start,
    const Shape* shapes, const Round* round, const Ends* ends, const Receiver* receiver, const int* sibling,
    const double* axial, const int* host, const int* twig_count, const int* rank_start, const int* rank_width,
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
        rank_width + shape.rank, axial + shape.node, nullptr};
    const long long start = cell_start[cell];
    diag += start, rhs += start, x += start;
    const int need = 3 * room + inner_room;
#if SHARED
    extern __shared__ double store[];
    double* d = store + (size_t)team * need;
#else
    double* d = work + (long long)cell * need;
#endif
    double *r = d + room, *edge = r + room, *down = edge + room;
#if SHARED
    fetch(d, diag, tree.n_node, lane, threads);
    fetch(r, rhs, tree.n_node, lane, threads);
    fetch(edge, axial + shape.node, tree.n_node, lane, threads);
    fetched();
#else
    for (int p = lane; p < tree.n_node; p += threads)
        d[p] = diag[p], r[p] = rhs[p], edge[p] = axial[shape.node + p];
#endif
    wait();
#if TWIG
    gather_twigs(twigs, diag, rhs, d, r, lane, threads);
    wait();
#endif
    contract(tree, d, r, edge, down, lane, threads, wait);
#if TWIG
    spread_twigs(twigs, diag, rhs, r, x, lane, threads);
#endif
    for (int p = lane; p < tree.n_node; p += threads) x[p] = r[p];
}
