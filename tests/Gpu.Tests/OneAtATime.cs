using Xunit.Sdk;
using Xunit.v3;

// An emulated device runs each launch on many threads; two at once only disturb each other.
[assembly: Parallelization(Mode = ParallelMode.None)]
