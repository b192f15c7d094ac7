using System.Runtime.ExceptionServices;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Runs;

/// <summary>Hands every event of a run to every sink, and owns the sinks. Events may come from several threads.</summary>
public sealed class RunStream(IEnumerable<RunSink> sinks) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<RunSink> _sinks = [.. sinks];

    /// <summary>All events so far are where their sinks keep them.</summary>
    public bool IsWritten
    {
        get
        {
            lock (_gate)
            {
                return _sinks.All(sink => sink.IsWritten);
            }
        }
    }

    /// <summary>Adds a sink for the events from now on.</summary>
    public void Add(RunSink sink)
    {
        lock (_gate)
        {
            _sinks.Add(sink);
        }
    }

    /// <summary>A sink that fails keeps the event from no other one: its error is thrown when all have had it.</summary>
    public void Publish(RunEvent happened)
    {
        lock (_gate)
        {
            ForAll(sink => sink.Handle(happened));
            foreach (string warning in _sinks.Select(sink => sink.TakeWarning()).OfType<string>().ToList())
            {
                ForAll(sink => sink.Handle(new RunEvent.Warning(warning)));
            }
        }
    }

    /// <summary>Disposes of the sinks; events that come later are lost.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            try
            {
                ForAll(sink => sink.Dispose());
            }
            finally
            {
                _sinks.Clear();
            }
        }
    }

    private void ForAll(Action<RunSink> action)
    {
        Exception? first = null;
        foreach (RunSink sink in _sinks)
        {
            try
            {
                action(sink);
            }
            catch (Exception e)
            {
                first ??= e;
            }
        }

        if (first is not null)
        {
            ExceptionDispatchInfo.Throw(first);
        }
    }
}
