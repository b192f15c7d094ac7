using ConvNet.Client.Commands;

return await CommandLine.RunAsync(args, Terminal.Process());
