// The image deployers of the Go engine: their configuration is read and checked, but they run nothing (design D13).
#pragma once

#include "deployer/registry.hpp"

namespace venvoy::deployer {

// Adds podman, docker and kubernetes for the deployment type "image".
void add_image_deployers(Registry& registry);

}  // namespace venvoy::deployer
