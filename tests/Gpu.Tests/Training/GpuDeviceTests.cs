using ConvNet.Engine.Errors;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Training;
using Xunit;

namespace ConvNet.Gpu.Tests.Training;

public sealed class GpuDeviceTests
{
    [Fact]
    public void Reference_kernels_are_refused()
    {
        using GpuDevice device = GpuDevice.Emulated();
        using var team = new ThreadTeam(1);
        var model = new Model(ModelFile.Load("lenet"), BatchNormMode.Sync);

        ConvNetException error = Assert.Throws<ConvNetException>(() => device.CreateRunner(model, team, KernelSet.Reference));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
    }
}
