TITLE Calcium in shells with a buffer and a pump, for tests of arrays, COMPARTMENT and nonlinear reactions

DEFINE NSHELL 4

NEURON {
    SUFFIX shells
    USEION ca READ cao, cai, ica WRITE cai, ica
    RANGE pumped, thick, bound, own_pump
}

CONSTANT { FARADAY_10 = 9.64853321233 }

PARAMETER {
    mobility = 0.6 (um2/ms)
    kon = 100 (/mM-ms)
    koff = 0.02 (/ms)
    total = 0.03 (mM)
    pumped = 1e-5
    k1 = 1 k2 = 0.005 k3 = 1 k4 = 0.0005
}

ASSIGNED {
    v (mV) diam (um) cai (mM) cao (mM) ica (mA/cm2)
    own_pump (mA/cm2) volume[NSHELL] (um2) frac[NSHELL] thick bound
}

STATE { ca[NSHELL] (mM) free[NSHELL] (mM) cabuf[NSHELL] (mM) pump (mol/cm2) pumpca (mol/cm2) }

INITIAL {
    LOCAL r, dr
    r = diam / 2
    dr = r / (NSHELL - 0.5)
    thick = dr
    FROM k = 0 TO NSHELL - 1 {
        volume[k] = 3.14159 * dr * (2 * r - dr) / 3
        frac[k] = 2 * 3.14159 * r / dr
        r = r - dr * 0.9
        ca[k] = cai
        free[k] = total * koff / (kon * cai + koff)
        cabuf[k] = total - free[k]
    }
    pump = pumped
    pumpca = 0
}

BREAKPOINT {
    SOLVE diffusion METHOD sparse
    ica = own_pump
}

KINETIC diffusion {
    COMPARTMENT k, volume[k] { ca free cabuf }
    COMPARTMENT 1e4 * diam { pump pumpca }
    ~ ca[0] + pump <-> pumpca (k1 * 1e3, k2 * 1e3)
    ~ pumpca <-> pump (k3 * 1e3, k4 * 1e3 * cao)
    CONSERVE pump + pumpca = pumped * 1e4 * diam
    own_pump = 1e-3 * (f_flux - b_flux) / diam
    ~ ca[0] << (-(ica - own_pump) * diam / FARADAY_10)
    FROM k = 0 TO NSHELL - 2 {
        ~ ca[k] <-> ca[k + 1] (mobility * frac[k], mobility * frac[k])
    }
    bound = 0
    FROM k = 0 TO NSHELL - 1 {
        ~ ca[k] + free[k] <-> cabuf[k] (kon * volume[k], koff * volume[k])
        bound = bound + cabuf[k]
    }
    cai = ca[0]
}
