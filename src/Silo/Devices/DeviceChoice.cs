using ConvNet.Engine.Errors;
using ConvNet.Engine.Training;

namespace ConvNet.Silo.Devices;

/// <summary>
/// What workers are to compute on: "auto" (the GPUs that can be used, else the processor), or names with commas between, which the workers go
/// round: "cpu", "gpu" (every GPU), "gpu:0", "emulated" (the code of a GPU on the processor, for tests).
/// </summary>
public sealed class DeviceChoice
{
    /// <summary>For the help of an option.</summary>
    public const string HelpName = "auto|cpu|gpu|gpu:N";

    private const string Auto = "auto", Processor = CpuDevice.CommonName, EveryGpu = "gpu", OneGpu = "gpu:", Emulated = "emulated";

    private readonly string _text;

    private DeviceChoice(string text) => _text = text;

    public static DeviceChoice Automatic { get; } = new(Auto);

    /// <summary>It names several devices.</summary>
    public bool IsList => _text.Contains(',', StringComparison.Ordinal);

    /// <exception cref="ConvNetException">It names no device (exit code 2).</exception>
    public static DeviceChoice Parse(string text) => FaultOf(text) is { } message
        ? throw new ConvNetException(ExitCode.Usage, $"the device{message}")
        : new DeviceChoice(text);

    /// <summary>What is wrong with the form of a choice, to follow on what it was given for, with its full stop; null: nothing.</summary>
    public static string? FaultOf(string text)
    {
        string[] names = text.Split(',');
        if (names is [Auto])
        {
            return null;
        }

        return Array.Find(names, name => !IsName(name)) is not { } wrong ? null
            : wrong == Auto ? $": '{text}' has auto in a list; auto chooses by itself, so give it alone, or name the devices."
            : $": '{wrong}' is no device; there are auto, cpu, gpu, gpu:0, gpu:1 and so on, emulated, and lists of them with commas. " +
              $"'convnet devices' shows what this machine has.{NearMatch.Suggest(wrong, [Auto, Processor, EveryGpu, Emulated])}";
    }

    /// <summary>
    /// Opens the devices. Each stays open until the process ends, as the workers of a job that has ended may still be freeing what they hold there.
    /// </summary>
    /// <param name="warn">Told, as a sentence, of each GPU that auto passes over.</param>
    /// <exception cref="ConvNetException">A GPU is named that is not there or cannot be used (exit code 7).</exception>
    public IReadOnlyList<ComputeDevice> Open(Action<string> warn) => _text == Auto
        ? Gpus.OpenUsable(warn) is { Count: > 0 } gpus ? gpus : [CpuDevice.Instance]
        : [.. _text.Split(',').SelectMany(OpenNamed)];

    public override string ToString() => _text;

    private static IEnumerable<ComputeDevice> OpenNamed(string name) => name switch
    {
        Processor => [CpuDevice.Instance],
        Emulated => [Gpus.OpenEmulated()],
        EveryGpu => Gpus.OpenAll(),
        _ => [Gpus.Open(int.Parse(name.AsSpan(OneGpu.Length)))],
    };

    private static bool IsName(string name) => name is Processor or EveryGpu or Emulated
        || (name.StartsWith(OneGpu, StringComparison.Ordinal) && name.Length is > 4 and <= 7
            && name.AsSpan(OneGpu.Length).IndexOfAnyExceptInRange('0', '9') < 0);
}
