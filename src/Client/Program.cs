using ConvNet.Client;

return await CommandLine.RunAsync(args, Terminal.Process());
