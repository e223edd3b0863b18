#!/bin/sh
# try_on_arm.sh BUNDLE [FOLDER]: runs every file of a bundle on 64-bit Arm, and compares with x86.
#
# A Raspberry Pi 4's processor (Cortex-A72) is emulated by QEMU; Python, from Debian, and the wheels
# of requirements.txt are those of a real one. Everything is made in FOLDER (a temporary folder by
# default) and takes 300 MB and a minute. Needs Debian or Ubuntu, Python 3.11 or later with venv, and
#     sudo apt-get install --no-install-recommends qemu-user-static
# Emulated times say nothing about a Pi.
set -eu
kit=$(cd "$(dirname "$0")" && pwd)
bundle=$(cd "${1:?usage: try_on_arm.sh BUNDLE [FOLDER]}" && pwd)
if [ $# -gt 1 ]; then
  mkdir -p "$2"
  root=$(cd "$2" && pwd)
else
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
fi
command -v qemu-aarch64-static > /dev/null || {
  echo "Error: qemu-aarch64-static is missing: apt-get install qemu-user-static" >&2
  exit 1
}

# x86: an environment that holds nothing but the kit's requirements.
[ -x "$root/x86/bin/python" ] || {
  python3 -m venv "$root/x86"
  "$root/x86/bin/pip" install --quiet --requirement "$kit/requirements.txt"
}

# Arm: Debian's packages, unpacked beside the machine's own, and the same versions of the wheels.
if [ ! -x "$root/arm" ]; then
  mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" "$root/sys/proc" "$root/site"
  : > "$root/apt/status"
  cat > "$root/apt/apt.conf" << EOF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "$root/apt";
Dir::State::status "$root/apt/status";
Dir::Cache "$root/apt/cache";
EOF
  export APT_CONFIG="$root/apt/apt.conf"
  apt-get --quiet=2 update
  apt-get --quiet=2 --yes --download-only install \
    python3-minimal libpython3-stdlib libstdc++6 libgcc-s1 > "$root/apt/log"
  unset APT_CONFIG
  for package in "$root"/apt/cache/archives/*.deb; do dpkg --extract "$package" "$root/sys"; done
  python=$(basename "$(ls "$root"/sys/usr/bin/python3.* | head -n 1)")
  "$root/x86/bin/pip" freeze --quiet > "$root/versions.txt"
  "$root/x86/bin/pip" download --quiet --no-deps --only-binary=:all: --dest "$root/wheels" \
    --implementation cp --python-version "${python#python}" \
    --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
    --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 --platform any \
    --requirement "$root/versions.txt"
  for wheel in "$root"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$root/site"; done
  # Without a description of an Arm processor, XNNPACK ends the program.
  for core in 0 1 2 3; do
    printf 'processor\t: %s\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\n' "$core"
    printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n'
    printf 'CPU part\t: 0xd08\nCPU revision\t: 3\n\n'
  done > "$root/sys/proc/cpuinfo"
  # QEMU's default processor computes 8-bit models wrongly; the Pi's own is right.
  cat > "$root/arm.new" << EOF
#!/bin/sh
exec env PYTHONNOUSERSITE=1 PYTHONPATH="$root/site" OPENBLAS_NUM_THREADS=1 QEMU_CPU=cortex-a72 \\
  qemu-aarch64-static -L "$root/sys" "$root/sys/usr/bin/$python" "\$@"
EOF
  chmod +x "$root/arm.new"
  mv "$root/arm.new" "$root/arm"
fi

rm -rf "$root/results"
mkdir -p "$root/results/x86" "$root/results/arm"
"$root/x86/bin/python" -c 'import platform; print("here:", platform.machine())'
"$root/arm" -c 'import platform; print("emulated:", platform.machine(), platform.python_version())'
for file in "$bundle"/*.tflite; do
  name=$(basename "$file" .tflite)
  for machine in x86 arm; do
    run=$root/$machine
    [ "$machine" = arm ] || run=$root/x86/bin/python
    "$run" "$kit/denoise.py" "$bundle/samples/noisy.png" --model "$file" --threads 2 \
      --output "$root/results/$machine/$name.png" > /dev/null 2> "$root/results/$machine/$name.log" ||
      { cat "$root/results/$machine/$name.log" >&2; exit 1; }
    "$run" "$kit/compare.py" run "$file" "$root/results/$machine/$name.npy" \
      2> "$root/results/$machine/$name.log" ||
      { cat "$root/results/$machine/$name.log" >&2; exit 1; }
  done
done
"$root/x86/bin/python" "$kit/compare.py" report "$root/results/x86" "$root/results/arm"
