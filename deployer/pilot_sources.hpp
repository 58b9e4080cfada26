// Machines for pilots: a list of hosts, the nodes of a job of Slurm.
#pragma once

#include <filesystem>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "base/log.hpp"
#include "deployer/pilots.hpp"
#include "deployer/python_settings.hpp"
#include "os/keeper.hpp"

namespace venvoy::deployer {

// `keeper_here` is the program on this machine, and on those for which the settings name no other.
//
// Throws an Error (document) if no hosts are named.
std::unique_ptr<PilotSource> make_ssh_source(const SshSettings& settings, const std::filesystem::path& keeper_here);

// Inside of a job (SLURM_JOB_ID) its nodes; else those of a job that is asked for, and given back in the end. The
// keeper, which starts Slurm's commands, outlives the source.
std::unique_ptr<PilotSource> make_slurm_source(const boost::asio::any_io_executor& executor, os::Keeper& keeper,
                                               SlurmSettings settings, const std::filesystem::path& keeper_here,
                                               Logger logger);

// The pilots of settings whose launcher starts steps on other machines. The keeper outlives the pool. Throws an Error
// (document, environment).
std::shared_ptr<PilotPool> make_pilot_pool(const boost::asio::any_io_executor& executor, os::Keeper& keeper,
                                           const PythonSettings& settings, std::uint64_t child_file_limit,
                                           Logger logger);

}  // namespace venvoy::deployer
