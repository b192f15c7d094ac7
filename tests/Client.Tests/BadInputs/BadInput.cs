namespace ConvNet.Client.Tests.BadInputs;

/// <summary>Something wrong that a user can give to a command.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Code">The exit code that it must end with.</param>
/// <param name="Fragment">Part of the sentence that it must end with.</param>
/// <param name="Command">Writes the input and returns the command line that meets it.</param>
internal sealed record BadInput(string Name, int Code, string Fragment, Func<SpoiltFiles, string[]> Command)
{
    public static BadInput Check(string name, string fragment, Func<SpoiltFiles, string> data) =>
        new(name, 3, fragment, files => ["data", "check", data(files)]);

    public static BadInput Verify(string name, int code, string fragment, Action<SpoiltCheckpoint> spoil) =>
        new(name, code, fragment, files => ["checkpoint", "verify", files.Checkpoint(spoil)]);

    public static BadInput Train(string name, string fragment, params string[] options) =>
        new(name, 3, fragment, files => ["train", "--out", files.Folder["out"], .. options]);

    public static BadInput Configuration(string name, string fragment, string yaml) => Configuration(name, fragment, System.Text.Encoding.UTF8.GetBytes(yaml));

    public static BadInput Configuration(string name, string fragment, byte[] yaml) =>
        new(name, 3, fragment, files => ["train", "--out", files.Folder["out"], "--config", files.Folder.Write("job.yaml", yaml)]);
}
