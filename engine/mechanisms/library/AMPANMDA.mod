TITLE Excitatory synapse of AMPA and NMDA receptors

COMMENT
The pair of synapses at every activated place of Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD,
Segev I (2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181,
ModelDB 238347, in one: an event opens both.
AMPA rises in tau_r_AMPA and decays in tau_d_AMPA. NMDA does so more slowly and is blocked by magnesium, which leaves
1 / (1 + 0.28011 exp(-0.0765685 v)) open. Either conductance has its peak at its weight (without the block);
the publication has 0.00073027 uS and 0.00131038 uS.
ENDCOMMENT

NEURON {
    POINT_PROCESS AMPANMDA
    RANGE tau_r_AMPA, tau_d_AMPA, tau_r_NMDA, tau_d_NMDA, e, block, slope, g_AMPA, g_NMDA, i
    NONSPECIFIC_CURRENT i
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (nA) = (nanoamp)
    (uS) = (microsiemens)
}

PARAMETER {
    tau_r_AMPA = 0.3 (ms) <1e-9, 1e9>       : of the rise
    tau_d_AMPA = 1.8 (ms) <1e-9, 1e9>       : of the decay
    tau_r_NMDA = 8.019 (ms) <1e-9, 1e9>     : of the rise
    tau_d_NMDA = 34.9884 (ms) <1e-9, 1e9>   : of the decay
    e = 0 (mV)                              : reversal of both
    block = 0.28011 (1) <0, 1e9>            : of magnesium, at 0 mV; 0 takes it away
    slope = 0.0765685 (/mV)                 : with which the block fades
}

STATE {
    A_AMPA (uS)   : falls with the rise of AMPA
    B_AMPA (uS)   : falls with the decay of AMPA
    A_NMDA (uS)   : falls with the rise of NMDA
    B_NMDA (uS)   : falls with the decay of NMDA
}

ASSIGNED {
    v (mV)
    g_AMPA (uS)
    g_NMDA (uS)
    i (nA)
    factor_AMPA
    factor_NMDA
}

INITIAL {
    factor_AMPA = scale(tau_r_AMPA, tau_d_AMPA)
    factor_NMDA = scale(tau_r_NMDA, tau_d_NMDA)
    A_AMPA = 0
    B_AMPA = 0
    A_NMDA = 0
    B_NMDA = 0
}

BREAKPOINT {
    SOLVE decay METHOD cnexp
    g_AMPA = B_AMPA - A_AMPA
    g_NMDA = (B_NMDA - A_NMDA) / (1 + block * exp(-slope * v))
    i = (g_AMPA + g_NMDA) * (v - e)
}

DERIVATIVE decay {
    A_AMPA' = -A_AMPA / tau_r_AMPA
    B_AMPA' = -B_AMPA / tau_d_AMPA
    A_NMDA' = -A_NMDA / tau_r_NMDA
    B_NMDA' = -B_NMDA / tau_d_NMDA
}

NET_RECEIVE(weight_AMPA (uS), weight_NMDA (uS)) {
    INITIAL {
        weight_NMDA = weight_NMDA   : stays as it was set; without this block it would start at 0
    }
    A_AMPA = A_AMPA + weight_AMPA * factor_AMPA
    B_AMPA = B_AMPA + weight_AMPA * factor_AMPA
    A_NMDA = A_NMDA + weight_NMDA * factor_NMDA
    B_NMDA = B_NMDA + weight_NMDA * factor_NMDA
}

: 1 / peak of exp(-t / fall) - exp(-t / rise), which it has at t = ln(fall / rise) rise fall / (fall - rise)
FUNCTION scale(rise (ms), fall (ms)) {
    LOCAL peak
    peak = rise * fall / (fall - rise) * log(fall / rise)
    scale = 1 / (exp(-peak / fall) - exp(-peak / rise))
}
