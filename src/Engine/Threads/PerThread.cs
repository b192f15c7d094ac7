namespace ConvNet.Engine.Threads;

/// <summary>One scratch object for each thread of a team, made when first needed.</summary>
internal sealed class PerThread<T>(Func<T> create)
{
    private T[] _items = [];

    public T this[int thread] => _items[thread];

    /// <summary>Call before the team runs.</summary>
    public void Reserve(int threads)
    {
        int old = _items.Length;
        if (old < threads)
        {
            Array.Resize(ref _items, threads);
            for (int i = old; i < threads; i++)
            {
                _items[i] = create();
            }
        }
    }
}
