using ConvNet.Engine.Data;
using ConvNet.Grains.Data;

namespace ConvNet.Client;

/// <summary>Loads data sets for the commands, image folders included.</summary>
internal static class DataSource
{
    /// <param name="size">"HxW" to resize an image folder's images, or null.</param>
    public static Dataset Load(string nameOrPath, string? size) => DatasetSource.Load(nameOrPath, size);
}
