namespace ConvNet.Grains.Tests.Checkpoints;

internal enum DiskStepKind
{
    CreateFolder,
    CreateFile,
    Write,
    Flush,
    FlushFolder,
    Move,
    Delete,
}
