using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>
/// What layers hand on while one thread evaluates a few samples: as many pieces of memory as are in use at a time, each given to another
/// layer as soon as it has been read, so that they stay in the thread's cache.
/// </summary>
/// <param name="length">Floats of a piece, enough for the largest output; a multiple of 8.</param>
internal sealed unsafe class EvaluationBuffers(long length) : IDisposable
{
    private readonly List<Activation> _pieces = [];
    private readonly List<bool> _taken = [];

    /// <summary>Takes all pieces back.</summary>
    public void Clear()
    {
        for (int piece = 0; piece < _taken.Count; piece++)
        {
            _taken[piece] = false;
        }
    }

    /// <summary>Lets a view show a piece that nobody uses, with arbitrary contents.</summary>
    public void Take(Activation view)
    {
        int piece = _taken.IndexOf(false);
        if (piece < 0)
        {
            piece = _pieces.Count;
            _pieces.Add(new Activation(new Shape(8, 1, 1), checked((int)(length / 8))));
            _taken.Add(false);
        }

        _taken[piece] = true;
        view.Show(_pieces[piece], 0);
    }

    /// <summary>Takes back what <paramref name="values"/> shows, unless <paramref name="kept"/> shows the same.</summary>
    public void Release(Activation values, Activation kept)
    {
        for (int piece = 0; piece < _pieces.Count; piece++)
        {
            _taken[piece] &= _pieces[piece].Data != values.Data || values.Data == kept.Data;
        }
    }

    public void Dispose() => _pieces.ForEach(piece => piece.Dispose());
}
