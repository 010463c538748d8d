abi: int
