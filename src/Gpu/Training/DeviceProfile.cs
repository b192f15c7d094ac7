using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Training;

/// <summary>Tells a profile where the device is: each part begins and ends when all that was launched is done.</summary>
internal sealed class DeviceProfile(StepProfile profile, KernelDevice device) : StepProfile
{
    public StepProfile Inner => profile;

    public override void Begin(int layer, StepPhase phase)
    {
        device.Synchronize();
        profile.Begin(layer, phase);
    }

    public override void End()
    {
        device.Synchronize();
        profile.End();
    }
}
