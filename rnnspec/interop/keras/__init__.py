"""Models that Keras wrote, from 1.2 to 3: what is in their files, what it means, and the same model here.

Nothing of Keras is needed, nothing is unpickled, no code in a file is run, and no file but the given ones is opened.
"""
