TITLE A channel of five states that moves along with a pump, for tests of KINETIC

NEURON {
    SUFFIX markov
    USEION na READ ena WRITE ina
    RANGE gbar, into, popen
}

PARAMETER {
    gbar = 1e-3 (S/cm2)
    on = 3 (/ms)
    off = 0.4 (/ms)
}

ASSIGNED { v (mV) ena (mV) ina (mA/cm2) a (/ms) b (/ms) into popen }

STATE { c1 c2 c3 o i }

INITIAL { SOLVE scheme STEADYSTATE sparse }

BREAKPOINT {
    SOLVE scheme METHOD sparse
    popen = o
    ina = gbar * o * (v - ena)
}

KINETIC scheme {
    rates(v)
    ~ c1 <-> c2 (3 * a, b)
    ~ c2 <-> c3 (2 * a, 2 * b)
    ~ c3 <-> o (a, 3 * b)
    into = f_flux - b_flux
    ~ o <-> i (off, off / 20)
    ~ i <-> c1 (on * b / (a + b), 1e-4)
    CONSERVE c1 + c2 + c3 + o + i = 1
}

PROCEDURE rates(v (mV)) {
    a = on * exp((v + 20) / 25)
    b = off * exp(-(v + 50) / 30)
}
