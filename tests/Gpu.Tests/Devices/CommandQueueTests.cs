using System.Reflection;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels;
using ConvNet.Gpu.Kernels.Elementwise;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;
using ILGPU;
using Xunit;

namespace ConvNet.Gpu.Tests.Devices;

/// <summary>Launches in parts: what is repeated, what is not, and in which order those aside run.</summary>
public sealed class CommandQueueTests : IClassFixture<EmulatedDevice>, IDisposable
{
    private const int Length = 8;

    private readonly KernelDevice _device;
    private readonly DeviceBuffer<Float32> _a;
    private readonly DeviceBuffer<Float32> _b;

    public CommandQueueTests(EmulatedDevice emulated)
    {
        _device = emulated.Device;
        _a = new DeviceBuffer<Float32>(_device, "values").Reserve(Length);
        _b = new DeviceBuffer<Float32>(_device, "values").Reserve(Length);
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void A_part_that_comes_again_is_repeated_on_what_its_memory_holds_then()
    {
        long before = _device.Parts.Repeated;
        for (int round = 0; round < 5; round++)
        {
            Upload(_a, round);
            Upload(_b, 1);
            AddTimes(10);
            Assert.Equal(round + 10, Read(_a));
        }

        Assert.Equal(4, _device.Parts.Repeated - before);
    }

    [Fact]
    public void A_part_with_another_number_or_other_memory_is_not_repeated()
    {
        using DeviceBuffer<Float32> c = new DeviceBuffer<Float32>(_device, "values").Reserve(Length);
        Upload(_a, 0);
        Upload(_b, 1);
        Upload(c, 100);
        _device.Synchronize();
        long before = _device.Parts.Repeated;

        AddTimes(6);
        _device.Synchronize();
        AddTimes(6, items: Length - 1);
        _device.Synchronize();
        for (int i = 0; i < 6; i++)
        {
            _device.Run(ElementwiseKernels.Add, Length, _a.View, c.View);
        }

        Assert.Equal(612, Read(_a));
        Assert.Equal(606, Read(_a, at: Length - 1));
        Assert.Equal(before, _device.Parts.Repeated);
    }

    [Fact]
    public void Recordings_are_given_up_when_memory_is_freed()
    {
        Upload(_a, 0);
        Upload(_b, 1);
        _device.Synchronize();
        long before = _device.Parts.Repeated;
        AddTimes(6);
        _device.Synchronize();
        AddTimes(6);
        _device.Synchronize();
        Assert.Equal(before + 1, _device.Parts.Repeated);

        new DeviceBuffer<Float32>(_device, "values").Reserve(1).Dispose();
        AddTimes(6);
        _device.Synchronize();
        Assert.Equal(before + 1, _device.Parts.Repeated);
        Assert.Equal(18, Read(_a));
    }

    [Fact]
    public void More_parts_than_are_kept_are_carried_out_all_the_same()
    {
        Upload(_a, 0);
        Upload(_b, 1);
        for (int part = 0; part < CommandQueue.MaxRecordings + 10; part++)
        {
            AddTimes(4 + part % 60, items: 1 + part / 60);
            _device.Synchronize();
        }

        Assert.Equal(Enumerable.Range(0, CommandQueue.MaxRecordings + 10).Sum(part => 4 + part % 60), Read(_a));
    }

    [Fact]
    public void Values_uploaded_twice_before_the_processor_waits_reach_the_launches_between()
    {
        Upload(_a, 0);
        Upload(_b, 1);
        AddTimes(1);
        Upload(_b, 10);
        AddTimes(1);
        Assert.Equal(11, Read(_a));
    }

    /// <summary>Otherwise no test of bits could fail by layers that run beside each other and should not.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    public void What_runs_aside_and_depends_on_what_follows_has_other_results_from_time_to_time(int between)
    {
        using DeviceBuffer<Float32> c = new DeviceBuffer<Float32>(_device, "values").Reserve(Length);
        int early = 0;
        for (int round = 0; round < 30; round++)
        {
            Upload(_a, 0);
            Upload(_b, 1);
            _device.Synchronize();
            using (_device.Aside())
            {
                AddTimes(1);
            }

            for (int i = 0; i < between; i++)
            {
                _device.Run(ElementwiseKernels.Add, Length, c.View, c.View);
            }

            // Changes what is read aside.
            _device.Run(ElementwiseKernels.Add, Length, _b.View, _b.View);
            early += Read(_a) == 1 ? 1 : 0;
        }

        Assert.InRange(early, 1, 29);
    }

    [Fact]
    public void What_runs_aside_comes_after_all_before_it_and_before_all_that_follows_the_wait()
    {
        for (int round = 0; round < 20; round++)
        {
            Upload(_a, 0);
            Upload(_b, 1);
            AddTimes(3);
            using (_device.Aside())
            {
                _device.Run(ElementwiseKernels.Add, Length, _b.View, _a.View);
            }

            Assert.Equal(4, Read(_b));
        }
    }

    [Fact]
    public void Commands_that_differ_in_anything_have_other_signatures()
    {
        ArrayView<Float32> a = _a.View, b = _b.View;
        using DeviceBuffer<int> sets = new DeviceBuffer<int>(_device, "sets").Reserve(2);
        ArrayView<int> one = sets.View.SubView(0, 1), other = sets.View.SubView(1, 1);
        NormViews norm = new(a, a, a, one, 8);
        NormViews[] norms = [norm, new(b, a, a, one, 8), new(a, b, a, one, 8), new(a, a, b, one, 8), new(a, a, a, other, 8), new(a, a, a, one, 16)];
        Additions[] additions = [new(one, 1, 2), new(other, 1, 2), new(one, 2, 2), new(one, 1, 3)];
        ArrayView<Float32>[] views = [a, b, a.SubView(0, 4), a.SubView(4, 4)];

        Assert.Equal(norms.Length, norms.Select(SignatureOf).Distinct().Count());
        Assert.Equal(additions.Length, additions.Select(SignatureOf).Distinct().Count());
        Assert.Equal(views.Length, views.Select(SignatureOf).Distinct().Count());
        Assert.Equal(SignatureOf(norm), SignatureOf(new NormViews(a, a, a, one, 8)));
    }

    [Fact]
    public void A_copy_is_not_repeated_the_other_way_round()
    {
        using var memory = new PinnedMemory<Float32>(_device);
        for (int round = 0; round < 3; round++)
        {
            memory.Span(Length).Fill(new Float32(round));
            CopyFourTimes(() => _device.CopyTo(_a.View, memory.View(Length)));
            Assert.Equal(round, Read(_a));
            Upload(_a, 100 + round);
            _device.Synchronize();
            CopyFourTimes(() => _device.CopyFrom(_a.View, memory.View(Length)));
            Assert.Equal(100 + round, memory.Span(Length)[0].Value);
        }
    }

    [Fact]
    public void A_device_that_has_refused_a_launch_takes_no_other()
    {
        using var device = KernelDevice.Emulated();
        var queue = new CommandQueue(new EmulatedStreams(device.Stream));
        queue.Add(kernel: null, _ => throw new OutOfMemoryException("no room"));

        Assert.Throws<OutOfMemoryException>(queue.Submit);
        Assert.True(queue.HasFailed);
        Assert.Contains("no room", Assert.Throws<InvalidOperationException>(() => queue.Add(kernel: null, _ => { })).Message);
        queue.Submit();
    }

    [Fact]
    public void The_arguments_of_all_kernels_can_be_signed()
    {
        var signature = new CommandSignature();
        MethodInfo with = typeof(CommandSignature).GetMethod(nameof(CommandSignature.With))!;
        foreach (Type type in KernelCatalog.All.SelectMany(kernel => kernel.GetParameters()).Select(parameter => parameter.ParameterType).Distinct())
        {
            signature.Clear();
            with.MakeGenericMethod(type).Invoke(signature, [Activator.CreateInstance(type)]);
            Assert.NotEqual(0, signature.Bytes.Length);
        }
    }

    private static string SignatureOf<T>(T argument)
        where T : struct => Convert.ToHexString(new CommandSignature().With(argument).Bytes);

    /// <summary>As many as a part needs to be recorded.</summary>
    private void CopyFourTimes(Action copy)
    {
        for (int i = 0; i < 4; i++)
        {
            copy();
        }

        _device.Synchronize();
    }

    /// <summary>a += b, so many times.</summary>
    private void AddTimes(int times, int items = Length)
    {
        for (int i = 0; i < times; i++)
        {
            _device.Run(ElementwiseKernels.Add, items, _a.View, _b.View);
        }
    }

    private static void Upload(DeviceBuffer<Float32> buffer, float value) => buffer.Upload(Enumerable.Repeat(new Float32(value), Length).ToArray());

    private static float Read(DeviceBuffer<Float32> buffer, int at = 0)
    {
        var value = new Float32[1];
        buffer.Download(value, at);
        return value[0].Value;
    }
}
