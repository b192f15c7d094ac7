using Xunit;

namespace ConvNet.Repository.Tests;

public sealed class FolderImportTests(ITestOutputHelper output)
{
    /// <summary>
    /// The folders of each project in layers. A folder may import from the layers before its own, from none in its own and from none after it, so
    /// that there are no circles.
    /// </summary>
    private static readonly Dictionary<string, string[]> Layers = new()
    {
        ["Engine"] =
        [
            "Errors",
            "Files",
            "Geometry",
            "Numerics",
            "Threads",
            "Parameters",
            "Reduction",
            "Kernels",
            "Kernels/Convolution  Kernels/LocallyConnected  Kernels/Normalization  Kernels/Pooling",
            "Kernels/Convolution/Winograd",
            "Layers",
            "Models",
            "Optimizers  Data  Formats",
            "Training",
        ],
        ["Gpu"] =
        [
            "Numerics",
            "Kernels",
            "Kernels/Convolution  Kernels/Elementwise  Kernels/FullyConnected  Kernels/Loss  Kernels/Normalization  Kernels/Optimizers  Kernels/Pooling",
            "Kernels/Winograd",
            "Kernels/LocallyConnected",
            "Devices",
            "Convolutions",
            "Layers",
            "Training",
        ],
        ["Grains"] =
        [
            "Contracts/Wire",
            "Contracts/Jobs",
            "Contracts/Messages",
            "Contracts/Records",
            "Contracts",
            "Protocol/Steps",
            "Protocol/Partition  Protocol/BatchNorm  Protocol/Jobs",
            "Placement  Metering",
            "Calls",
            "Data  Checkpoints",
            "Runs",
            "Servers  Workers  Jobs",
            ".",
        ],
        ["Silo"] = ["Security  Processes  Devices", "Clustering", ".", "Configuration", "Commands"],
        ["Client"] = ["Configuration", "Cluster  Views  Benchmarks", "Runs", "Monitor", "Commands", "."],
    };

    /// <summary>Parents that choose among their children's algorithms, which build on the parent.</summary>
    private static readonly (string Project, string From, string To)[] Dispatchers =
    [
        ("Engine", "Kernels/Convolution", "Kernels/Convolution/Winograd"),
    ];

    public static TheoryData<string> Projects => [.. Layers.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_folder_imports_only_from_the_layers_before_its_own(string project)
    {
        var imports = new FolderImports(project);
        string[][] layers = [.. Layers[project].Select(layer => layer.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        output.WriteLine(imports.Describe());

        Findings.AssertNone(
        [
            .. imports.Folders.Where(folder => LayerOf(layers, folder) < 0).Select(folder => $"src/{project}/{folder} is in no layer of the table"),
            .. imports.Users.Where(import => LayerOf(layers, import.Key.To) >= LayerOf(layers, import.Key.From))
                .Where(import => !Dispatchers.Contains((project, import.Key.From, import.Key.To)))
                .Select(import => $"src/{project}/{import.Key.From} imports {import.Key.To} in {string.Join(", ", import.Select(file => file.Name))}"),
            .. Dispatchers.Where(import => import.Project == project && !imports.Users.Contains((import.From, import.To)))
                .Select(import => $"src/{project}/{import.From} no longer imports {import.To}: take it out of the table"),
        ]);
    }

    private static int LayerOf(string[][] layers, string folder) => Array.FindIndex(layers, layer => layer.Contains(folder));
}
