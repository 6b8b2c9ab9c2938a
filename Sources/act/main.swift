// The executable: hands the command line over and leaves with the status of what was asked for.

import ActPlot
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

private func run() {
    var arguments = CommandLine.arguments
    if !arguments.isEmpty { arguments.removeFirst() }
    // Another run of this program draws pictures, so that whatever librsvg does with one can be ended. (Under `--sandbox` a copy of the
    // process does, which is there already.)
    #if os(Linux)
    let drawingArgument = "--draw-pictures"
    if arguments == [drawingArgument] { DrawingProcess.serve() }
    DrawingProcess.startsWhenNeeded("/proc/self/exe", argument: drawingArgument)
    #endif
    exit(ActCommand.run(arguments))
}

// Programs run on stacks of their own, but what reads the command line needs more than the least that the system gives (`ulimit -s`).
if act_stack_limit() < 1 << 20 { act_on_stack(1 << 23) { run() } } else { run() }
