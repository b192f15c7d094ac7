using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Serialization.Configuration;
using Orleans.Serialization.TypeSystem;
using Xunit;

namespace ConvNet.Client.Tests.Security;

/// <summary>A message names the types of what is in it: a peer that names others must not make a silo create them.</summary>
public sealed class AllowedTypesTests
{
    [Fact]
    public void A_silo_makes_objects_of_its_contracts_and_of_nothing_that_a_peer_names_besides()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleans(silo => silo.UseLocalhostClustering().ConfigureConvNetSilo(new SiloOffer("node-1", 1, 1, Workers: true, Servers: true)));
        using IHost host = builder.Build();
        TypeConverter types = host.Services.GetRequiredService<TypeConverter>();

        Assert.False(host.Services.GetRequiredService<IOptions<TypeManifestOptions>>().Value.AllowAllTypes);
        foreach (Type contract in new[] { typeof(JobSubmission), typeof(StepDecision), typeof(JobStatus[]), typeof(Dictionary<string, long>) })
        {
            Assert.Equal(contract, types.Parse(types.Format(contract)));
        }

        foreach (Type stranger in new[]
        {
            typeof(System.Diagnostics.Process), typeof(System.Diagnostics.ProcessStartInfo), typeof(FileInfo), typeof(FileStream),
            typeof(System.Reflection.Assembly), typeof(HttpClient), typeof(List<FileInfo>), typeof(SiloHost), typeof(AllowedTypesTests),
        })
        {
            string name = RuntimeTypeNameFormatter.Format(stranger);
            Assert.ThrowsAny<Exception>(() => types.Parse(name));
        }
    }
}
