import Testing
@Suite struct ActPlotTests {}
