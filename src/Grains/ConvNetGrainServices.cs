using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Workers;
using Microsoft.Extensions.DependencyInjection;

namespace ConvNet.Grains;

/// <summary>What the grains need from a silo's services.</summary>
public static class ConvNetGrainServices
{
    public static IServiceCollection AddConvNetGrains(this IServiceCollection services)
    {
        services.AddPlacementDirector<PinnedPlacement, PinnedPlacementDirector>();
        services.AddSingleton<IIncomingGrainCallFilter, ExceptionFilter>();
        services.AddSingleton<SiloCatalog>();
        services.AddSingleton<DataCatalog>();
        return services;
    }
}
