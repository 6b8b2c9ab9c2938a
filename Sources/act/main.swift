// The executable: hands the command line over and leaves with the status of what was asked for.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

exit(ActCommand.run(Array(CommandLine.arguments.dropFirst())))
