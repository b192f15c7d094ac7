using ConvNet.Client.Commands;
using ConvNet.Client.Views;

return await CommandLine.RunAsync(args, Terminal.Process());
