using Xunit;

namespace ConvNet.Client.Tests.Docker;

/// <summary>What docker/Dockerfile promises.</summary>
public sealed class DockerfileTests
{
    /// <summary>Instructions with their continued lines, in their order.</summary>
    private static readonly (string Name, string Arguments)[] _instructions =
    [
        .. File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docker", "Dockerfile")).Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(' ', 2))
            .Select(words => (words[0], words[1])),
    ];

    [Fact]
    public void The_program_is_built_in_a_stage_of_its_own_and_silo_and_client_share_the_rest()
    {
        Assert.Equal(
            [
                "mcr.microsoft.com/dotnet/sdk:10.0 AS build",
                "mcr.microsoft.com/dotnet/aspnet:10.0 AS runtime",
                "runtime AS client",
                "runtime AS silo",
            ],
            Of("FROM"));
        Assert.Equal(2, Of("COPY").Count(arguments => arguments.StartsWith("--from=build ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Neither_image_runs_as_root()
    {
        Assert.Equal("$APP_UID", Assert.Single(Stage("runtime"), instruction => instruction.Name == "USER").Arguments);
        Assert.All(["client", "silo"], stage => Assert.DoesNotContain(Stage(stage), instruction => instruction.Name == "USER"));
    }

    [Fact]
    public void All_that_is_written_is_in_a_volume_of_the_user()
    {
        Assert.Equal("/var/lib/convnet", Assert.Single(Of("VOLUME")));
        Assert.Contains(Stage("runtime"), instruction => instruction is { Name: "WORKDIR", Arguments: "/var/lib/convnet" });
        Assert.Contains(Of("RUN"), run => run.Contains("chown -R \"$APP_UID:$APP_UID\" /var/lib/convnet", StringComparison.Ordinal));
        Assert.Contains(Of("ENV"), variables => variables.Contains("DOTNET_EnableDiagnostics=0", StringComparison.Ordinal));
    }

    [Fact]
    public void The_silo_is_stopped_by_the_signal_that_it_understands()
    {
        Assert.Equal("SIGTERM", Assert.Single(Stage("silo"), instruction => instruction.Name == "STOPSIGNAL").Arguments);
        Assert.Equal(
            """["dotnet", "/app/convnet-silo.dll"]""", Assert.Single(Stage("silo"), instruction => instruction.Name == "ENTRYPOINT").Arguments);
    }

    [Fact]
    public void Only_sources_go_into_the_build()
    {
        string[] ignored = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "docker", "dockerignore"));
        Assert.Equal("**", ignored[0]);
        Assert.All(
            Of("COPY").Where(arguments => !arguments.StartsWith("--from", StringComparison.Ordinal)).SelectMany(arguments => arguments.Split(' ')[..^1]),
            source => Assert.Contains($"!{source.TrimStart('.', '/')}", ignored.Select(line => line.Replace("!.", "!", StringComparison.Ordinal))));
    }

    private static IEnumerable<string> Of(string name) =>
        _instructions.Where(instruction => instruction.Name == name).Select(instruction => instruction.Arguments);

    private static IEnumerable<(string Name, string Arguments)> Stage(string name) => _instructions
        .SkipWhile(instruction => instruction.Name != "FROM" || !instruction.Arguments.EndsWith($" AS {name}", StringComparison.Ordinal)).Skip(1)
        .TakeWhile(instruction => instruction.Name != "FROM");
}
