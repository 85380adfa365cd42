// Which cell a team of threads solves, and where its tree is described.
//
// Compiled with: WAIT (0: teams of one thread, 1: of 2 to 32, a power of two, 2: a team is a block),
// SHARED (1: the tree's numbers lie in shared memory while they are worked on), TWIG nodes of a twig
// (0: none), FACTORED (1: constant matrix).
#pragma once

// Offsets into the arrays of all shapes; written by the host in this order.
struct Shape {
    int n_node, n_step, n_host;  // nodes without twigs
    int alike;                   // 1: all twigs have the same conductances
    int node, step, host, rank, receiver;
};

#if WAIT == 0
#define TEAM_WAIT const Alone wait
#elif WAIT == 1
#define TEAM_WAIT const WarpTeam wait = warp_team(threadIdx.x, threads)
#else
#define TEAM_WAIT const BlockTeam wait
#endif
