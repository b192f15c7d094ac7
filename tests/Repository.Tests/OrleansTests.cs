using Xunit;

namespace ConvNet.Repository.Tests;

/// <summary>What runs in a simulator and what travels know nothing of Orleans.</summary>
public sealed class OrleansTests
{
    private static readonly string[] Attributes = ["GenerateSerializer", "Immutable", "Alias", "Id"];
    private static readonly string[] Types =
        ["Orleans", "Grain", "GrainId", "IGrain", "IGrainFactory", "IGrainWithStringKey", "SiloAddress", "AlwaysInterleave"];

    [Fact]
    public void The_protocol_uses_nothing_of_Orleans() => Findings.AssertNone(Uses(["src/Grains/Protocol"], [.. Types, .. Attributes]));

    [Fact]
    public void Messages_and_jobs_use_only_the_serializer_s_attributes() =>
        Findings.AssertNone(Uses(["src/Grains/Contracts/Messages", "src/Grains/Contracts/Jobs"], Types));

    [Fact]
    public void The_engine_uses_nothing_of_Orleans() => Findings.AssertNone(Uses(["src/Engine"], ["Orleans", "GenerateSerializer"]));

    private static IEnumerable<string> Uses(string[] folders, string[] names) =>
        from file in SourceTree.Under(folders)
        from name in names
        where file.Identifiers.Contains(name)
        select $"{file.Name} uses {name}";
}
