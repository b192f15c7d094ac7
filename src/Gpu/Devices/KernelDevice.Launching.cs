using ILGPU;
using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>Launches, by the number of arguments: an argument is a view of a buffer, a number, or a struct of numbers.</summary>
public sealed partial class KernelDevice
{
    /// <summary>Runs a kernel once for each of <paramref name="items"/>.</summary>
    public void Run<T1>(Action<Index1D, T1> kernel, int items, T1 a)
        where T1 : struct
    {
        if (items > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, Index1D, T1>>(kernel);
            _queue.Signature.With(items).With(a);
            _queue.Add(kernel.Method, stream => launch(stream, items, a));
        }
    }

    public void Run<T1, T2>(Action<Index1D, T1, T2> kernel, int items, T1 a, T2 b)
        where T1 : struct
        where T2 : struct
    {
        if (items > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, Index1D, T1, T2>>(kernel);
            _queue.Signature.With(items).With(a).With(b);
            _queue.Add(kernel.Method, stream => launch(stream, items, a, b));
        }
    }

    public void Run<T1, T2, T3>(Action<Index1D, T1, T2, T3> kernel, int items, T1 a, T2 b, T3 c)
        where T1 : struct
        where T2 : struct
        where T3 : struct
    {
        if (items > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, Index1D, T1, T2, T3>>(kernel);
            _queue.Signature.With(items).With(a).With(b).With(c);
            _queue.Add(kernel.Method, stream => launch(stream, items, a, b, c));
        }
    }

    public void Run<T1, T2, T3, T4>(Action<Index1D, T1, T2, T3, T4> kernel, int items, T1 a, T2 b, T3 c, T4 d)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
    {
        if (items > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, Index1D, T1, T2, T3, T4>>(kernel);
            _queue.Signature.With(items).With(a).With(b).With(c).With(d);
            _queue.Add(kernel.Method, stream => launch(stream, items, a, b, c, d));
        }
    }

    public void Run<T1, T2, T3, T4, T5>(Action<Index1D, T1, T2, T3, T4, T5> kernel, int items, T1 a, T2 b, T3 c, T4 d, T5 e)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
    {
        if (items > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5>>(kernel);
            _queue.Signature.With(items).With(a).With(b).With(c).With(d).With(e);
            _queue.Add(kernel.Method, stream => launch(stream, items, a, b, c, d, e));
        }
    }

    public void Run<T1, T2, T3, T4, T5, T6>(Action<Index1D, T1, T2, T3, T4, T5, T6> kernel, int items, T1 a, T2 b, T3 c, T4 d, T5 e, T6 f)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
    {
        if (items > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5, T6>>(kernel);
            _queue.Signature.With(items).With(a).With(b).With(c).With(d).With(e).With(f);
            _queue.Add(kernel.Method, stream => launch(stream, items, a, b, c, d, e, f));
        }
    }

    public void Run<T1, T2, T3, T4, T5, T6, T7>(
        Action<Index1D, T1, T2, T3, T4, T5, T6, T7> kernel, int items, T1 a, T2 b, T3 c, T4 d, T5 e, T6 f, T7 g)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
        where T7 : struct
    {
        if (items > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5, T6, T7>>(kernel);
            _queue.Signature.With(items).With(a).With(b).With(c).With(d).With(e).With(f).With(g);
            _queue.Add(kernel.Method, stream => launch(stream, items, a, b, c, d, e, f, g));
        }
    }

    public void Run<T1, T2, T3, T4, T5, T6, T7, T8>(
        Action<Index1D, T1, T2, T3, T4, T5, T6, T7, T8> kernel, int items, T1 a, T2 b, T3 c, T4 d, T5 e, T6 f, T7 g, T8 h)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
        where T7 : struct
        where T8 : struct
    {
        if (items > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, Index1D, T1, T2, T3, T4, T5, T6, T7, T8>>(kernel);
            _queue.Signature.With(items).With(a).With(b).With(c).With(d).With(e).With(f).With(g).With(h);
            _queue.Add(kernel.Method, stream => launch(stream, items, a, b, c, d, e, f, g, h));
        }
    }

    /// <summary>Runs a kernel in groups of threads that share memory.</summary>
    /// <param name="threads">Of a group.</param>
    public void RunGroups<T1>(Action<T1> kernel, int groups, int threads, T1 a)
        where T1 : struct
    {
        if (groups > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, KernelConfig, T1>>(kernel);
            _queue.Signature.With(groups).With(threads).With(a);
            _queue.Add(kernel.Method, stream => launch(stream, (groups, threads), a));
        }
    }

    public void RunGroups<T1, T2>(Action<T1, T2> kernel, int groups, int threads, T1 a, T2 b)
        where T1 : struct
        where T2 : struct
    {
        if (groups > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, KernelConfig, T1, T2>>(kernel);
            _queue.Signature.With(groups).With(threads).With(a).With(b);
            _queue.Add(kernel.Method, stream => launch(stream, (groups, threads), a, b));
        }
    }

    public void RunGroups<T1, T2, T3>(Action<T1, T2, T3> kernel, int groups, int threads, T1 a, T2 b, T3 c)
        where T1 : struct
        where T2 : struct
        where T3 : struct
    {
        if (groups > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, KernelConfig, T1, T2, T3>>(kernel);
            _queue.Signature.With(groups).With(threads).With(a).With(b).With(c);
            _queue.Add(kernel.Method, stream => launch(stream, (groups, threads), a, b, c));
        }
    }

    public void RunGroups<T1, T2, T3, T4>(Action<T1, T2, T3, T4> kernel, int groups, int threads, T1 a, T2 b, T3 c, T4 d)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
    {
        if (groups > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4>>(kernel);
            _queue.Signature.With(groups).With(threads).With(a).With(b).With(c).With(d);
            _queue.Add(kernel.Method, stream => launch(stream, (groups, threads), a, b, c, d));
        }
    }

    public void RunGroups<T1, T2, T3, T4, T5>(Action<T1, T2, T3, T4, T5> kernel, int groups, int threads, T1 a, T2 b, T3 c, T4 d, T5 e)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
    {
        if (groups > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5>>(kernel);
            _queue.Signature.With(groups).With(threads).With(a).With(b).With(c).With(d).With(e);
            _queue.Add(kernel.Method, stream => launch(stream, (groups, threads), a, b, c, d, e));
        }
    }

    public void RunGroups<T1, T2, T3, T4, T5, T6>(Action<T1, T2, T3, T4, T5, T6> kernel, int groups, int threads, T1 a, T2 b, T3 c, T4 d, T5 e, T6 f)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
    {
        if (groups > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6>>(kernel);
            _queue.Signature.With(groups).With(threads).With(a).With(b).With(c).With(d).With(e).With(f);
            _queue.Add(kernel.Method, stream => launch(stream, (groups, threads), a, b, c, d, e, f));
        }
    }

    public void RunGroups<T1, T2, T3, T4, T5, T6, T7>(
        Action<T1, T2, T3, T4, T5, T6, T7> kernel, int groups, int threads, T1 a, T2 b, T3 c, T4 d, T5 e, T6 f, T7 g)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
        where T7 : struct
    {
        if (groups > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7>>(kernel);
            _queue.Signature.With(groups).With(threads).With(a).With(b).With(c).With(d).With(e).With(f).With(g);
            _queue.Add(kernel.Method, stream => launch(stream, (groups, threads), a, b, c, d, e, f, g));
        }
    }

    public void RunGroups<T1, T2, T3, T4, T5, T6, T7, T8>(
        Action<T1, T2, T3, T4, T5, T6, T7, T8> kernel, int groups, int threads, T1 a, T2 b, T3 c, T4 d, T5 e, T6 f, T7 g, T8 h)
        where T1 : struct
        where T2 : struct
        where T3 : struct
        where T4 : struct
        where T5 : struct
        where T6 : struct
        where T7 : struct
        where T8 : struct
    {
        if (groups > 0)
        {
            var launch = LauncherOf<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7, T8>>(kernel);
            _queue.Signature.With(groups).With(threads).With(a).With(b).With(c).With(d).With(e).With(f).With(g).With(h);
            _queue.Add(kernel.Method, stream => launch(stream, (groups, threads), a, b, c, d, e, f, g, h));
        }
    }
}
