using System.Security.Cryptography;
using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Grains.Checkpoints;

/// <summary>
/// A file that a client leaves in its run folder as long as it runs: a silo that is to write checkpoints, now or after another one was lost, looks for it,
/// and if it sees it, both share the folder.
/// </summary>
public sealed partial class FolderProbe : IDisposable
{
    private const string Prefix = ".probe-";
    private readonly string _path;

    private FolderProbe(string path, string secret) => (_path, Secret) = (path, secret);

    /// <summary>What the submission says: the file's name follows from it, and it is the file's content.</summary>
    public string Secret { get; }

    /// <summary>Leaves one; those that a crash has left go.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static FolderProbe Leave(string folder)
    {
        foreach (string old in Directory.EnumerateFiles(folder, Prefix + "*").ToList())
        {
            File.Delete(old);
        }

        string secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        string path = PathOf(folder, secret);
        PrivateFile.WriteText(path, secret);
        return new FolderProbe(path, secret);
    }

    /// <summary>Whether this process sees a probe, and can write checkpoints beside it.</summary>
    public static bool IsShared(string folder, string secret)
    {
        if (!Form().IsMatch(secret))
        {
            return false;
        }

        try
        {
            string store = Path.Combine(folder, CheckpointStore.FolderName);
            if (TextFile.Read(PathOf(folder, secret), "the probe", secret.Length) != secret)
            {
                return false;
            }

            PrivateFile.CreateFolder(store);
            string own = PathOf(store, secret);
            PrivateFile.WriteText(own, secret);
            File.Delete(own);
            return true;
        }
        catch (Exception e) when (FileFailure.Is(e) || e is ConvNetException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            // The next run in this folder deletes it.
        }
    }

    private static string PathOf(string folder, string secret) => Path.Combine(folder, Prefix + secret[..8]);

    [GeneratedRegex(@"^[0-9a-f]{32}\z")]
    private static partial Regex Form();
}
