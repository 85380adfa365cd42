TITLE Synapse of NMDA receptors, blocked by magnesium

COMMENT
As in Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD,
Segev I (2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181,
ModelDB 238347. The conductance of one event is
weight * factor * (exp(-t / tau_d) - exp(-t / tau_r)) * B(v), and factor makes the peak of the bracket 1. B(v) is what
magnesium leaves open, 1 / (1 + 0.28011 exp(-0.0765685 v)), with the concentration of magnesium in the first number.
ENDCOMMENT

NEURON {
    POINT_PROCESS NMDA
    RANGE tau_r, tau_d, e, block, slope, g, i
    NONSPECIFIC_CURRENT i
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (nA) = (nanoamp)
    (uS) = (microsiemens)
}

PARAMETER {
    tau_r = 8.019 (ms) <1e-9, 1e9>     : of the rise
    tau_d = 34.9884 (ms) <1e-9, 1e9>   : of the decay
    e = 0 (mV)                         : reversal
    block = 0.28011 (1) <0, 1e9>       : of magnesium, at 0 mV; 0 takes it away
    slope = 0.0765685 (/mV)            : with which the block fades
}

STATE {
    A (uS)   : falls with the rise
    B (uS)   : falls with the decay
}

ASSIGNED {
    v (mV)
    g (uS)
    i (nA)
    factor
}

INITIAL {
    factor = scale(tau_r, tau_d)
    A = 0
    B = 0
}

BREAKPOINT {
    SOLVE decay METHOD cnexp
    g = (B - A) / (1 + block * exp(-slope * v))
    i = g * (v - e)
}

DERIVATIVE decay {
    A' = -A / tau_r
    B' = -B / tau_d
}

NET_RECEIVE(weight (uS)) {
    A = A + weight * factor
    B = B + weight * factor
}

: 1 / peak of exp(-t / fall) - exp(-t / rise), which it has at t = ln(fall / rise) rise fall / (fall - rise)
FUNCTION scale(rise (ms), fall (ms)) {
    LOCAL peak
    peak = rise * fall / (fall - rise) * log(fall / rise)
    scale = 1 / (exp(-peak / fall) - exp(-peak / rise))
}
