// Tree contraction: tips are taken off and cables are halved, round by round.
//
// Every round has two parts. First each node that is taken works out, from its own numbers, the
// factors it leaves behind; then each neighbor that stays adds up what the taken ones leave to it:
// tips and nodes out of cables below it, in descending index, then the one above it, whose place in
// the cable it takes. Taken nodes are no neighbors, so nothing is written that another thread reads.
#include "solve.cuh"
#include "shapes.cuh"
#if TWIG
#include "twigs.cuh"
#endif

extern "C" __global__ void __launch_bounds__(1024) solve_contract(
    int threads, int n_cell, int room, int inner_room, const int* shape_of, const long long* cell_start, const Shape* shapes,
    const int* round_start,     // (n_step + 1) places of every round; the roots begin at the last
    const int* inner_start,     // (n_step) where its nodes out of cables begin
    const int* slot_start,      // (n_step) how many of those came in earlier rounds
    const int* receiver_start,  // (n_step + 1)
    const int* above, const int* below,
    const int* receiver,        // places that get something in a round
    const int* item_start,      // (n_receiver + 1) what each gets from below: item[item_start[q] ... )
    const int* item,
    const int* from_above,      // (n_receiver) place of the node taken from above it, or -1
    const int* from_slot,       // (n_receiver) its slot
    const double* axial, const int* host, const int* twig_count, const int* rank_start, const int* rank_width,
    const double* diag, const double* rhs, double* work, double* x) {
    const int team = threadIdx.x / threads, lane = threadIdx.x % threads;
    const int cell = blockIdx.x * (blockDim.x / threads) + team;
    if (cell >= n_cell) return;
    TEAM_WAIT;
    const Shape shape = shapes[shape_of[cell]];
    const long long start = cell_start[cell];
    diag += start, rhs += start, x += start;
    axial += shape.node, above += shape.node, below += shape.node;
    round_start += shape.step, inner_start += shape.step, slot_start += shape.step, receiver_start += shape.step;
    receiver += shape.receiver, from_above += shape.receiver, from_slot += shape.receiver, item += shape.item;
    item_start += shape.receiver;
    const int need = 3 * room + inner_room;
#if SHARED
    extern __shared__ double store[];
    double* d = store + (size_t)team * need;
#else
    double* d = work + (long long)cell * need;
#endif
    double *r = d + room, *edge = r + room, *down = edge + room;
#pragma unroll 4
    for (int p = lane; p < shape.n_node; p += threads) {
        d[p] = diag[p];
        r[p] = rhs[p];
        edge[p] = axial[p];
    }
    wait();
#if TWIG
    const Twigs twigs = {
        shape.n_host, host + shape.host, twig_count + shape.host, rank_start + shape.rank, rank_width + shape.rank,
        axial, nullptr};
    gather_twigs(twigs, diag, rhs, d, r, lane, threads);
    wait();
#endif
    for (int s = 0; s < shape.n_step; ++s) {
        const int inner = inner_start[s], end = round_start[s + 1];
        for (int p = round_start[s] + lane; p < end; p += threads) {
            const double inverse = 1.0 / d[p];
            d[p] = edge[p] * inverse;
            r[p] *= inverse;
            if (p >= inner) down[slot_start[s] + p - inner] = edge[below[p]] * inverse;
        }
        wait();
        for (int q = receiver_start[s] + lane; q < receiver_start[s + 1]; q += threads) {
            const int p = receiver[q], e = from_above[q];
            double own_d = d[p], own_r = r[p];
            for (int j = item_start[q]; j < item_start[q + 1]; ++j) {
                const int c = item[j];
                own_d = fma(-d[c], edge[c], own_d);
                own_r = fma(edge[c], r[c], own_r);
            }
            if (e >= 0) {
                const double g = edge[p];
                own_d = fma(-down[from_slot[q]], g, own_d);
                own_r = fma(g, r[e], own_r);
                edge[p] = g * d[e];
            }
            d[p] = own_d;
            r[p] = own_r;
        }
        wait();
    }
    for (int p = round_start[shape.n_step] + lane; p < shape.n_node; p += threads) r[p] /= d[p];
    wait();
    for (int s = shape.n_step - 1; s >= 0; --s) {
        const int inner = inner_start[s], end = round_start[s + 1];
        for (int p = round_start[s] + lane; p < end; p += threads) {
            double v = fma(d[p], r[above[p]], r[p]);
            if (p >= inner) v = fma(down[slot_start[s] + p - inner], r[below[p]], v);
            r[p] = v;
        }
        wait();
    }
#if TWIG
    spread_twigs(twigs, diag, rhs, r, x, lane, threads);
#endif
    for (int p = lane; p < shape.n_node; p += threads) x[p] = r[p];
}
